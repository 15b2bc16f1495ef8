"""What is opened: a service's requests, judged one by one; its key goes in on the way out, and out on the way in."""
