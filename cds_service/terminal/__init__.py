"""How the command line shows things to people: colors and tables in a terminal, plain text in a file or pipe."""
