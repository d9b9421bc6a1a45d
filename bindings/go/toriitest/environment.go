package toriitest

import (
	"net/url"
	"testing"

	torii "libtorii.internal/go"
)

// Environment is an environment of the local torii: an issuer with its keys, users and a secret key.
type Environment struct {
	Name      string
	ID        string
	Issuer    string
	SecretKey string

	local *Torii
}

// A card describes an environment in the control API.
type card struct {
	Name, Issuer  string
	EnvironmentID string `json:"environment_id"`
	SecretKey     string `json:"secret_key"`
}

func (l *Torii) environment(c card) *Environment {
	return &Environment{Name: c.Name, ID: c.EnvironmentID, Issuer: c.Issuer, SecretKey: c.SecretKey, local: l}
}

// Token returns a signed token with these claims, valid for 300 seconds; by default of a new user.
func (e *Environment) Token(t testing.TB, claims map[string]any) string {
	t.Helper()
	if claims == nil {
		return e.Mint(t, "{}")
	}
	return e.Mint(t, object(map[string]any{"claims": claims}))
}

// Mint returns a token from a token request of the control API, such as {"expires_in":-60},
// {"without":["pid"]} or {"signer":"forged"}.
func (e *Environment) Mint(t testing.TB, request string) string {
	t.Helper()
	var answer struct{ Token string }
	e.control(t, "POST", "/tokens", request, &answer)
	return answer.Token
}

// SignIn signs in a user of this environment, whom [Environment.Client] creates. It returns the id of
// the session and a token for it.
func (e *Environment) SignIn(t testing.TB, userID string) (sessionID, token string) {
	t.Helper()
	var answer struct {
		Session struct{ ID string }
		Token   string
	}
	e.control(t, "POST", "/sessions", object(map[string]any{"user_id": userID}), &answer)
	return answer.Session.ID, answer.Token
}

// FailKeys answers key fetches with the status 503 until [Torii.ClearFaults] or the end of the test. It
// drops the keys that this process has.
func (e *Environment) FailKeys(t testing.TB) {
	t.Helper()
	e.local.Fault(t, "/"+e.Name+"/", `{"kind":"status","status":503}`)
	torii.ForgetKeys()
}

// RotateKeys signs with a new key, and publishes it. The earlier keys stay published. It returns the kid
// of the new key.
func (e *Environment) RotateKeys(t testing.TB) string {
	t.Helper()
	var answer struct{ Kid string }
	e.control(t, "POST", "/keys", "{}", &answer)
	return answer.Kid
}

// RemoveKey removes a key from the published ones.
func (e *Environment) RemoveKey(t testing.TB, kid string) {
	t.Helper()
	e.control(t, "DELETE", "/keys/"+url.PathEscape(kid), "", nil)
}

// Verifier returns a verifier of its tokens, closed when the test ends.
func (e *Environment) Verifier(t testing.TB, options ...torii.VerifierOption) *torii.Verifier {
	t.Helper()
	verifier, err := torii.NewVerifier(e.Issuer, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = verifier.Close() })
	return verifier
}

// Client returns a client for it, closed when the test ends.
func (e *Environment) Client(t testing.TB, options ...torii.ClientOption) *torii.Client {
	t.Helper()
	client, err := torii.NewClient(e.SecretKey, append([]torii.ClientOption{torii.WithAPIURL(e.local.URL)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (e *Environment) control(t testing.TB, method, path, body string, into any) {
	t.Helper()
	e.local.Control(t, method, "/issuers/"+e.Name+path, body, into)
}
