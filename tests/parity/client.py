"""What both clients have in common: an operation is called by its name in the contract, with JSON values."""


class Refused(Exception):
    """The API answered, but not with success."""

    def __init__(self, status, code, support_id, message, body):
        super().__init__(message)
        self.story = {"status": status, "code": code, "supportId": support_id, "message": message, "body": body}


class Failed(Exception):
    """The call failed without an answer of the API that says so."""

    def __init__(self, kind):
        super().__init__(kind)
        self.story = {"failed": kind}
