"""Products, batches, devices and their credentials, as the maker and the owner see them."""
