"""libtorii as a client: the C functions of torii.h, through ctypes."""

import ctypes
import json

from client import Failed, Refused

NAMES = {
    "users_search": "users_list_json",
    "users_delete": "users_delete",
    "sessions_list": "sessions_list_for_user_json",
    "sessions_revoke_all": "sessions_revoke_all_for_user",
    "sessions_revoke": "sessions_revoke",
    "invitations_revoke": "invitations_revoke",
    "allowed_origins_list": "allowed_origins_get_json",
}
KINDS = {1: "argument", 301: "transport", 302: "timeout", 303: "answer"}


class LibTorii:
    # The body of the last call, as written.
    written = ""

    def __init__(self, path, url, secret_key):
        self._library = ctypes.CDLL(path)
        self._library.torii_client_options_new.restype = ctypes.c_void_p
        options = ctypes.c_void_p(self._library.torii_client_options_new())
        self._client = ctypes.c_void_p()
        self._call("torii_client_options_set_api_url", [options, *text(url)])
        self._call("torii_client_new", [*text(secret_key), options, ctypes.byref(self._client)])
        self._library.torii_client_options_free(options)

    def close(self):
        self._library.torii_client_free(self._client)

    def __getattr__(self, operation):
        name = NAMES.get(operation, f"{operation}_json")
        return lambda *arguments: self._operation(f"torii_client_{name}", arguments)

    def _operation(self, name, arguments):
        self.written = ""
        values = [self._client]
        for argument in arguments:
            if isinstance(argument, int):
                values.append(ctypes.c_uint32(argument))
            elif argument is None or isinstance(argument, str):
                values += text(argument)
            else:
                written = json.dumps(argument)
                values += text(written)
                if isinstance(argument, dict):
                    self.written = written
        if not name.endswith("_json"):
            return self._call(name, values)
        answer = ctypes.c_void_p()
        self._call(name, [*values, ctypes.byref(answer)])
        self._library.torii_json_text.restype = ctypes.c_char_p
        value = json.loads(self._library.torii_json_text(answer, None))
        self._library.torii_json_free(answer)
        return value

    def _call(self, name, values):
        error = ctypes.c_void_p()
        status = getattr(self._library, name)(*values, ctypes.byref(error))
        if status == 0:
            return None
        try:
            if status != 300:
                raise Failed(KINDS[status])
            about = {part: self._text_of(error, part) for part in ("code", "support_id", "message", "body")}
            raise Refused(self._library.torii_error_http_status(error), **about)
        finally:
            self._library.torii_error_free(error)

    def _text_of(self, error, part):
        function = getattr(self._library, f"torii_error_{part}")
        function.restype = ctypes.c_char_p
        value = function(error, None)
        return None if value is None else value.decode()


def text(value):
    """Returns a text as pointer and length."""
    encoded = (value or "").encode()
    return [ctypes.c_char_p(encoded if value is not None else None), ctypes.c_size_t(len(encoded))]
