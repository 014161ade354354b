"""The report of `gaddum adjudicate`: one page that stands alone, and its figures."""
