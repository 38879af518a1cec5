//! The embedded store: journal, blobs and leases in SQLite.
