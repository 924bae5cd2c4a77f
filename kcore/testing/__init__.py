"""What ships for people who test against kcore: fakes, harnesses, and the entry that recorded decisions are compared through."""
