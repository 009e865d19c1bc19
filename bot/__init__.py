"""What speaks to the outside: each module owns one outside thing."""
