"""The pure core: decides everything, touches nothing. Standard library only, no clock, no chance, no I/O."""
