"""Key, the facts' branch, the publication date, destinations."""
