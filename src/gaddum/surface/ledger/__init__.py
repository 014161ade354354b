"""The commands `gaddum ledger ...`: the published studies of a case, listed, shown, asked, read and written."""
