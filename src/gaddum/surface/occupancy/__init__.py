"""The command `gaddum occupancy`: protocols as a person names them -> text, page, table, figure and JSON."""
