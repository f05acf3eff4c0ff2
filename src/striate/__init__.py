"""Striate."""
