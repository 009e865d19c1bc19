"""What Towpath decides: the functional core. No I/O, no clock, no environment, no randomness."""
