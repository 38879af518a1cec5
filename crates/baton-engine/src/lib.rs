//! The imperative shell: feeds events to the core and performs its effects.
