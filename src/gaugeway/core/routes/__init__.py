"""Dynamic routes (contract 1.10, 5.4): their elements, the rules these keep, and what they decide. Pure."""
