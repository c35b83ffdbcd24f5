"""From brief to draft: the interface of a model, profiles, loading, sampling."""
