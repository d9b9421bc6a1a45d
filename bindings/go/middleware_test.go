package torii_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

// serve starts a server that answers with the user ID.
func serve(t *testing.T, verifier *torii.Verifier, options ...torii.MiddlewareOption) string {
	t.Helper()
	me := func(w http.ResponseWriter, r *http.Request) {
		if auth, ok := torii.AuthFromContext(r.Context()); ok {
			_, _ = io.WriteString(w, auth.UserID)
		} else {
			_, _ = io.WriteString(w, "nobody")
		}
	}
	server := httptest.NewServer(torii.Middleware(verifier, options...)(http.HandlerFunc(me)))
	t.Cleanup(server.Close)
	return server.URL
}

func get(t *testing.T, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestMiddleware(t *testing.T) {
	issuer := newEnvironment(t)
	url := serve(t, newVerifier(t, issuer.Issuer))
	token := issuer.Mint(t, `{"claims":{"sub":"ada"}}`)

	if response, body := get(t, url, "Authorization", "Bearer "+token); response.StatusCode != 200 || body != "ada" {
		t.Error(response.Status, body)
	}
	none, invalid := `Bearer realm="torii"`, `Bearer realm="torii", error="invalid_token"`
	for _, c := range []struct {
		challenge string
		headers   []string
	}{
		{none, nil},
		{none, []string{"Authorization", ""}},
		{none, []string{"Authorization", "Basic " + token}},
		{invalid, []string{"Authorization", "Bearer " + issuer.Mint(t, `{"expires_in":-60}`)}},
		{invalid, []string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}},
		{none, []string{"Authorization", "Basic x", "Authorization", "Bearer " + token}},
		{none, []string{"Cookie", "session=" + token}},
		{none, []string{"X-Auth", "Bearer " + token}},
	} {
		response, body := get(t, url, c.headers...)
		if response.StatusCode != 401 || body != `{"error":"unauthorized"}` ||
			response.Header.Get("WWW-Authenticate") != c.challenge || response.Header.Get("Cache-Control") != "no-store" ||
			response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Retry-After") != "" {
			t.Error(c.headers, response.Status, response.Header, body)
		}
	}
}

func TestMiddlewarePolicy(t *testing.T) {
	issuer := newEnvironment(t)
	url := serve(t, newVerifier(t, issuer.Issuer, torii.Require(torii.EmailVerified)))
	response, body := get(t, url, "Authorization", "Bearer "+issuer.Mint(t, `{"claims":{"email_verified":false}}`))
	if response.StatusCode != 403 || body != `{"error":"forbidden"}` ||
		response.Header.Get("WWW-Authenticate") != `Bearer realm="torii", error="insufficient_scope"` {
		t.Error(response.Status, response.Header, body)
	}
}

func TestMiddlewareWithoutKeys(t *testing.T) {
	issuer := newEnvironment(t)
	token := issuer.Mint(t, `{}`)
	local.Fault(t, "/"+issuer.Name+"/", `{"kind":"close"}`)
	url := serve(t, newVerifier(t, issuer.Issuer))
	response, body := get(t, url, "Authorization", "Bearer "+token)
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != 503 || body != `{"error":"unavailable"}` || err != nil || seconds < 1 {
		t.Error(response.Status, response.Header, body)
	}
}

// A deadline of the server is a 503, not a 401.
func TestMiddlewareDeadline(t *testing.T) {
	issuer := newEnvironment(t)
	token := issuer.Mint(t, `{}`)
	local.Fault(t, "/"+issuer.Name+"/", `{"kind":"hang"}`)
	handler := torii.Middleware(newVerifier(t, issuer.Issuer))(http.NotFoundHandler())

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code != 503 || recorder.Header().Get("Retry-After") != "1" {
		t.Error(recorder.Code, recorder.Header())
	}
}

func TestMiddlewareSources(t *testing.T) {
	issuer := newEnvironment(t)
	url := serve(t, newVerifier(t, issuer.Issuer), torii.FromHeader("X-Auth"), torii.FromCookie("session"))
	ada := issuer.Mint(t, `{"claims":{"sub":"ada"}}`)
	bob := issuer.Mint(t, `{"claims":{"sub":"bob"}}`)

	for _, c := range []struct {
		headers []string
		status  int
		body    string
	}{
		{[]string{"X-Auth", "Bearer " + ada}, 200, "ada"},
		{[]string{"Cookie", "other=x; session=" + bob}, 200, "bob"},
		{[]string{"X-Auth", "Bearer " + ada, "Cookie", "session=" + bob}, 200, "ada"},
		{[]string{"X-Auth", "Bearer x", "Cookie", "session=" + bob}, 401, `{"error":"unauthorized"}`},
		{[]string{"Authorization", "Bearer " + ada}, 401, `{"error":"unauthorized"}`},
		{[]string{"Cookie", "session=" + bob + "x"}, 401, `{"error":"unauthorized"}`},
	} {
		if response, body := get(t, url, c.headers...); response.StatusCode != c.status || body != c.body {
			t.Error(c, response.Status, body)
		}
	}
}

func TestMiddlewareHooks(t *testing.T) {
	issuer := newEnvironment(t)
	var reason error
	url := serve(t, newVerifier(t, issuer.Issuer),
		torii.Skip("/health"), torii.SkipIf(func(r *http.Request) bool { return r.Method == "OPTIONS" }),
		torii.OnError(func(w http.ResponseWriter, _ *http.Request, err error) {
			reason = err
			w.WriteHeader(http.StatusTeapot)
		}))
	if response, body := get(t, url+"/health"); response.StatusCode != 200 || body != "nobody" {
		t.Error(response.Status, body)
	}
	request, err := http.NewRequest("OPTIONS", url+"/me", nil)
	must(err)
	if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != 200 {
		t.Error(response, err)
	} else {
		response.Body.Close()
	}
	if response, _ := get(t, url+"/me"); response.StatusCode != http.StatusTeapot || !errors.Is(reason, torii.ErrTokenMissing) {
		t.Error(response.Status, reason)
	}
}

// A route with requirements lets no request pass without an identity: not by Optional, not by Skip.
func TestMiddlewareRequirementsNeedAnIdentity(t *testing.T) {
	issuer := newEnvironment(t)
	admins := newRequirements(t, torii.RequireOrganizationRole("org-1", "admin"))
	url := serve(t, newVerifier(t, issuer.Issuer), torii.Optional(), torii.Skip("/health"), torii.WithRequirements(admins))
	token := issuer.Mint(t, `{"claims":{"o":{"id":"org-1","rol":"admin"}}}`)
	for path, headers := range map[string][]string{"/": nil, "/health": {"Authorization", "Bearer " + token}} {
		if response, body := get(t, url+path, headers...); response.StatusCode != 401 || response.Header.Get("WWW-Authenticate") != `Bearer realm="torii"` {
			t.Error(path, response.Status, body)
		}
	}
	if response, body := get(t, url, "Authorization", "Bearer "+token); response.StatusCode != 200 {
		t.Error(response.Status, body)
	}
	nobody := serve(t, newVerifier(t, issuer.Issuer), torii.Optional(), torii.WithRequirements(nil))
	if response, body := get(t, nobody); response.StatusCode != 500 || body != `{"error":"internal"}` {
		t.Error("nil requirements:", response.Status, body)
	}
}

// A blank header counts as absent, also where the server keeps its blanks.
func TestMiddlewareBlankHeader(t *testing.T) {
	issuer := newEnvironment(t)
	handler := torii.Middleware(newVerifier(t, issuer.Issuer), torii.FromCookie("app_token"))(http.HandlerFunc(tellUser))
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("Authorization", " \t")
	request.Header.Set("Cookie", "app_token="+issuer.Mint(t, `{"claims":{"sub":"ada"}}`))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code != 200 || recorder.Header().Get("Handler-User") != "ada" {
		t.Error(recorder.Code, recorder.Header())
	}
}

func TestMiddlewareAfterClose(t *testing.T) {
	verifier := newVerifier(t, "https://acme.torii.so")
	verifier.Close()
	if response, body := get(t, serve(t, verifier)); response.StatusCode != 500 || body != `{"error":"internal"}` {
		t.Error(response.Status, body)
	}
}
