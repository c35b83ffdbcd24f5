"""Blind reading by people: sample, form, agreement."""
