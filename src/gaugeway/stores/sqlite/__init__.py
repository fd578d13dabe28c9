"""Records in SQLite files of one data folder, shared by several threads and processes."""
