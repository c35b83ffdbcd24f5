"""The reference corpus: known documents on disk, in a form in which copies and near passages are found fast."""
