"""What is published: disclosure, claim references, layouts, the record and its judgement."""
