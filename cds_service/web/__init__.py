"""What people look at: the reference pages of codes and rules."""
