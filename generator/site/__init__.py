"""From archive to checked site: pages, listings, search index, feeds, citations."""
