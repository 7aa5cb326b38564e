"""Chains the stages: onboarding, off-boarding, drift, rotation, a rehearsed outage. No stage calls another."""
