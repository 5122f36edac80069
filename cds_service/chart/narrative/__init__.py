"""Reads the free text of a procedure note. Pure: text in, facts with character spans out."""
