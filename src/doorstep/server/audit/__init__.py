"""Who did what to which device: a trail that only grows, for its organisation and the maker's staff."""
