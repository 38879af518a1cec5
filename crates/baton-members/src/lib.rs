//! How members are reached: one channel a folder.
