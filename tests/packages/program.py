"""Renames the user of TOKEN to FIRST_NAME, verifies EXPIRED, and prints the path of the loaded library."""

import os
import re

from torii_backend import ToriiAuthError, create_torii_client, verify_token

issuer = os.environ["TORII_ISSUER"]
torii = create_torii_client(secret_key=os.environ["TORII_SECRET_KEY"], api_url=os.environ["TORII_API_URL"])

auth = verify_token(os.environ["TOKEN"], issuer=issuer)
user = torii.users.update(auth.user_id, first_name=os.environ["FIRST_NAME"])
print(user.id, "is", user.first_name)
try:
    verify_token(os.environ["EXPIRED"], issuer=issuer)
except ToriiAuthError as error:
    print(error.reason.name.lower())
with open("/proc/self/maps") as maps:
    print(*sorted(set(re.findall(r"/.*libtorii.*", maps.read()))), sep="\n")
