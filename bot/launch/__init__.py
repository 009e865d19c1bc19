"""The small program that starts outside programs under limits; it knows nothing but Python's own library.

`bot.validators.launching` starts it by its path, in an interpreter without site packages, so that it starts in a few
hundredths of a second and forks without the threads and secrets of Towpath's own processes."""
