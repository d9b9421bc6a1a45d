package toriitest_test

import (
	"testing"

	torii "libtorii.internal/go"
	"libtorii.internal/go/toriitest"
)

func TestMe(t *testing.T) {
	local := toriitest.Start(t)
	verifier := local.Verifier(t) // or torii.NewVerifier(local.Issuer)
	user, err := local.Client(t).Users.Create(t.Context(), torii.UserCreate{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	_, token := local.SignIn(t, user.ID) // or local.Token(t, map[string]any{"plan": "pro"})
	if auth, err := verifier.Verify(t.Context(), token); err != nil || auth.UserID != user.ID {
		t.Error(auth, err)
	}
	local.FailKeys(t) // the issuer is down; local.RotateKeys(t): a new key
}
