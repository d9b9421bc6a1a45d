"""Shared by both clients, which take an operation's name in the contract and JSON values."""


class Refused(Exception):
    """The API answered with an error."""

    def __init__(self, status, code, support_id, message, body):
        super().__init__(message)
        self.story = {"status": status, "code": code, "supportId": support_id, "message": message, "body": body}


class Failed(Exception):
    """The call failed without such an answer."""

    def __init__(self, kind):
        super().__init__(kind)
        self.story = {"failed": kind}
