"""Interactive Brokers through ib_async's client and decoder. Decides nothing: core words in, core words out."""
