"""What the coding rules say on a day, for a payer: dated, cited data and its loader."""
