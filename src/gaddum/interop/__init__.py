"""Other people's files, read into records and written from them."""
