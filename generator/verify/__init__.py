"""The reader's side: verify a record, a page or a whole publication without trusting the publisher."""
