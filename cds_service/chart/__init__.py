"""What happened: blocks, sites, drugs and claim lines, each with the evidence it was read from."""
