package torii_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

func newVerifier(t testing.TB, issuer string, options ...torii.VerifierOption) *torii.Verifier {
	t.Helper()
	verifier, err := torii.NewVerifier(issuer, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { verifier.Close() })
	return verifier
}

func TestVerify(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	token := issuer.Mint(t, `{"claims":{"sub":"user-1","locale":"da","email_verified":true,"plan":{"name":"pro"},`+
		`"o":{"id":"org-1","rol":"admin"},"act":{"sub":"support"}}}`)

	for range 2 {
		auth, err := verifier.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if auth.UserID != "user-1" || *auth.Locale != "da" || !auth.EmailVerified || !auth.ProfileComplete ||
			auth.OrganizationID != "org-1" || auth.OrganizationRole != "admin" || auth.ActorID != "support" || !auth.Impersonating ||
			auth.EnvironmentID != issuer.ID || auth.Issuer != issuer.Issuer ||
			auth.ExpiresAt.Sub(auth.IssuedAt) != 5*time.Minute {
			t.Errorf("%+v", auth)
		}
		var claims struct{ Plan struct{ Name string } }
		if err := auth.DecodeClaims(&claims); err != nil || claims.Plan.Name != "pro" {
			t.Errorf("%+v, %v", claims, err)
		}
	}
	auth, err := verifier.Authenticate(t.Context(), "bearer "+token)
	if err != nil || auth.UserID != "user-1" {
		t.Errorf("%+v, %v", auth, err)
	}
	if _, err := verifier.Authenticate(t.Context(), "Basic "+token); !errors.Is(err, torii.ErrTokenScheme) {
		t.Error(err)
	}
	stats, err := verifier.Stats()
	if err != nil || stats.Accepted != 3 || stats.Hits != 2 || stats.CachedTokens != 1 || stats.CacheBytes == 0 ||
		stats.Refused["TORII_ERR_TOKEN_SCHEME"] != 1 || stats.Issuers[0].Fetches != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestErrors(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	_, err := verifier.Verify(t.Context(), issuer.Mint(t, `{"expires_in":-60}`))

	var e *torii.Error
	if !errors.As(err, &e) || e.Status != torii.ErrTokenExpired || e.Status.HTTP() != 401 ||
		e.PublicCode != "authentication_failed" || e.PublicMessage == "" || strings.Contains(e.PublicMessage, "exp`") ||
		e.WWWAuthenticate != `Bearer realm="torii", error="invalid_token"` || e.Issuer != "" || e.Unsent ||
		!strings.Contains(e.Message, "exp") || e.Error() != "torii: "+e.Message || e.HTTPStatus != 0 {
		t.Errorf("%+v", e)
	}
	if !errors.Is(err, torii.ErrTokenExpired) || !errors.Is(err, torii.ErrToken) ||
		errors.Is(err, torii.ErrTokenIssuer) || errors.Is(err, torii.ErrKeys) {
		t.Error(err)
	}
	for status, answer := range map[torii.Status]int{
		torii.ErrPolicy: 403, torii.ErrKeysPending: 503, torii.ErrInternal: 500, torii.ErrTokenMissing: 401,
		torii.ErrWebhookHeader: 400,
	} {
		if status.HTTP() != answer {
			t.Errorf("%v: %d", status, status.HTTP())
		}
	}
	if torii.Status(4711).Error() != "TORII_ERR_UNKNOWN" {
		t.Error(torii.Status(4711))
	}
}

func TestRotation(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	if err := verifier.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	issuer.RotateKeys(t)
	if _, err := verifier.Verify(t.Context(), issuer.Mint(t, `{}`)); err != nil {
		t.Error(err)
	}
	if n := keyRequests(t, issuer); n != 2 {
		t.Errorf("%d requests for keys", n)
	}
}

func TestPolicy(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer, torii.Require(torii.EmailVerified|torii.NotImpersonated))
	if _, err := verifier.Verify(t.Context(), issuer.Mint(t, `{"claims":{"email_verified":true}}`)); err != nil {
		t.Error(err)
	}
	_, err := verifier.Verify(t.Context(), issuer.Mint(t, `{"claims":{"email_verified":true,"impersonating":true}}`))
	if !errors.Is(err, torii.ErrPolicy) || errors.Is(err, torii.ErrToken) {
		t.Error(err)
	}
}

func TestKeysUnavailable(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	local.Fault(t, "/"+issuer.Name+"/", `{"kind":"status","status":503}`)
	_, err := verifier.Verify(t.Context(), issuer.Mint(t, `{}`))
	var e *torii.Error
	if !errors.Is(err, torii.ErrKeys) || !errors.As(err, &e) || e.Status.HTTP() != 503 || e.RetryAfter <= 0 ||
		e.Issuer != issuer.Issuer || e.PublicCode != "keys_unavailable" || e.WWWAuthenticate != "" ||
		strings.Contains(e.PublicMessage, issuer.Name) {
		t.Errorf("%+v", err)
	}
	if err := verifier.Refresh(t.Context()); !errors.Is(err, torii.ErrKeysUnavailable) {
		t.Error(err)
	}
}

// RefreshDue fetches keys that are due, of this verifier's issuers only, and DueIn says when they are.
func TestRefreshDue(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	if due, ok := verifier.DueIn(); due != 0 || !ok {
		t.Error(due, ok)
	}
	for range 2 {
		if err := verifier.RefreshDue(t.Context(), issuer.Issuer); err != nil {
			t.Error(err)
		}
		if err := verifier.RefreshDue(t.Context(), ""); err != nil {
			t.Error(err)
		}
	}
	if n := keyRequests(t, issuer); n != 1 {
		t.Errorf("%d requests for keys", n)
	}
	if due, ok := verifier.DueIn(); due <= 0 || !ok {
		t.Error(due, ok)
	}
	if err := verifier.RefreshDue(t.Context(), "https://other.torii.so"); !errors.Is(err, torii.ErrInvalidArgument) {
		t.Error(err)
	}
	given := newVerifier(t, "https://acme.torii.so", torii.WithJWKS(string(readCorpus(t).KeySets["main"].JWKS)))
	if due, ok := given.DueIn(); due != 0 || ok {
		t.Error(due, ok)
	}
	stats, err := verifier.Stats()
	if err != nil || stats.Issuers[0].LastError != nil || stats.Issuers[0].LastSuccess == nil {
		t.Errorf("%+v, %v", stats, err)
	}
}

// An issuer that hangs does not hold a call longer than the context allows.
func TestContext(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer, torii.WithFetchTimeout(time.Minute))
	token := issuer.Mint(t, `{}`)
	local.Fault(t, "/"+issuer.Name+"/", `{"kind":"hang"}`)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	// The issuer hangs until the faults are cleared: nothing but the context ends these.
	if _, err := verifier.Verify(ctx, token); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := verifier.Refresh(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := verifier.Authenticate(ctx, "Bearer "+token); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("a context that is over already:", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := verifier.Refresh(gone); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	token := issuer.Mint(t, `{}`)
	auth, err := verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := verifier.Close(); err != nil {
			t.Error(err)
		}
	}
	_, verify := verifier.Verify(t.Context(), token)
	_, authenticate := verifier.Authenticate(t.Context(), token)
	_, stats := verifier.Stats()
	if _, ok := verifier.DueIn(); ok {
		t.Error("a fetch is due after Close")
	}
	for _, err := range []error{verify, authenticate, stats, verifier.Refresh(t.Context()), verifier.RefreshDue(t.Context(), "")} {
		if err != torii.ErrClosed {
			t.Error(err)
		}
	}
	if auth.EnvironmentID != issuer.ID {
		t.Error("a result does not outlive its verifier")
	}
}

// Close does not wait for calls under way, and they end as usual.
func TestCloseDuringCalls(t *testing.T) {
	issuer := newEnvironment(t)
	token := issuer.Mint(t, `{}`)
	local.Fault(t, "/"+issuer.Name+"/", `{"kind":"delay","ms":100}`)
	verifier := newVerifier(t, issuer.Issuer)

	var started, done sync.WaitGroup
	for range 32 {
		started.Add(1)
		done.Go(func() {
			started.Done()
			if _, err := verifier.Verify(context.Background(), token); err != nil && err != torii.ErrClosed {
				t.Error(err)
			}
		})
	}
	started.Wait()
	verifier.Close()
	done.Wait()
}

func TestConcurrency(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	good, bad := issuer.Mint(t, `{}`), issuer.Mint(t, `{"signer":"forged"}`)

	var group sync.WaitGroup
	for i := range 256 {
		group.Go(func() {
			for range 4 {
				if i%4 == 0 {
					if _, err := verifier.Verify(t.Context(), bad); !errors.Is(err, torii.ErrTokenSignature) {
						t.Error(err)
					}
				} else if _, err := verifier.Verify(t.Context(), good); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := keyRequests(t, issuer); n != 1 {
		t.Errorf("%d requests for keys", n)
	}
}

func TestClock(t *testing.T) {
	issuer := newEnvironment(t)
	var calls int
	now := time.Now()
	verifier := newVerifier(t, issuer.Issuer, torii.WithLeeway(0), torii.WithClock(func() time.Time { calls++; return now }))
	token := issuer.Mint(t, `{"now_offset":-10}`)
	if _, err := verifier.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	now = now.Add(time.Hour)
	if _, err := verifier.Verify(t.Context(), token); !errors.Is(err, torii.ErrTokenExpired) {
		t.Error(err)
	}
	if calls == 0 {
		t.Error("the clock was not asked")
	}
}

// An error names the wrong option.
func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		option torii.VerifierOption
		status torii.Status
		about  string
	}{
		"issuer":        {torii.WithIssuer("acme"), torii.ErrInvalidArgument, "issuer"},
		"audience":      {torii.WithAudience(""), torii.ErrInvalidArgument, "audience"},
		"no audience":   {torii.WithAudience(), torii.ErrInvalidArgument, "audience"},
		"issuer's keys": {torii.WithIssuerJWKS("https://globex.torii.so", "{}"), torii.ErrInvalidArgument, "jwks"},
		"max lifetime":  {torii.WithMaxLifetime(-time.Second), torii.ErrInvalidArgument, "lifetime"},
		"realm":         {torii.WithRealm(`a"b`), torii.ErrInvalidArgument, "realm"},
		"metadata":      {torii.WithResourceMetadata("a b"), torii.ErrInvalidArgument, "resource_metadata"},
		"proxy":         {torii.WithProxy("proxy"), torii.ErrInvalidArgument, "proxy"},
		"key cache":     {torii.WithKeyCacheDir(""), torii.ErrInvalidArgument, "key cache directory"},
		"revocations":   {torii.WithRevocationsFile(""), torii.ErrInvalidArgument, "revocations file"},
		"requirements":  {torii.Require(), torii.ErrInvalidArgument, "none"},
		"leeway":        {torii.WithLeeway(301 * time.Second), torii.ErrInvalidArgument, "leeway"},
		"leeway below":  {torii.WithLeeway(-time.Second), torii.ErrInvalidArgument, "leeway"},
		"jwks":          {torii.WithJWKS("{}"), torii.ErrInvalidArgument, "jwks"},
		"key lifetime":  {torii.WithKeyLifetime(0), torii.ErrInvalidArgument, "lifetime"},
		"max stale":     {torii.WithMaxStale(1 << 62), torii.ErrInvalidArgument, "stale"},
		"fetch timeout": {torii.WithFetchTimeout(time.Millisecond), torii.ErrInvalidArgument, "timeout"},
		"CA file":       {torii.WithCAFile("/nowhere"), torii.ErrInvalidConfig, "/nowhere"},
		"requirement":   {torii.Require(torii.Flags(1 << 31)), torii.ErrInvalidArgument, "flags"},
	} {
		_, err := torii.NewVerifier("https://acme.torii.so", torii.WithClock(time.Now), c.option)
		if !errors.Is(err, c.status) || !strings.Contains(err.Error(), c.about) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := torii.NewVerifier("http://acme.torii.so"); !errors.Is(err, torii.ErrInvalidArgument) {
		t.Error(err)
	}
	if _, err := torii.NewVerifier("https://acme.torii.so", torii.WithAudience("api"), torii.WithIgnoreAudience()); !errors.Is(err, torii.ErrInvalidConfig) {
		t.Error(err)
	}
	verifier := newVerifier(t, "http://acme.torii.so", torii.WithInsecureHTTP(), torii.WithTokenCache(0),
		torii.WithBackgroundRefresh(false), torii.WithKeyLifetime(time.Minute), torii.WithMaxStale(0))
	if stats, err := verifier.Stats(); err != nil || stats.Issuers[0].KeyAge != nil {
		t.Errorf("%+v, %v", stats, err)
	}
}

// Every text reaches C unchanged.
func TestTexts(t *testing.T) {
	issuer := newEnvironment(t)
	verifier := newVerifier(t, issuer.Issuer)
	token := issuer.Mint(t, `{}`)
	for text, status := range map[string]torii.Status{
		"":                         torii.ErrTokenMissing,
		token + "\x00":             torii.ErrTokenMalformed,
		"\x00" + token:             torii.ErrTokenMalformed,
		"\xff\xfe.\xff.\xff":       torii.ErrTokenMalformed,
		strings.Repeat("a", 1<<20): torii.ErrTokenTooLarge,
	} {
		if _, err := verifier.Verify(t.Context(), text); !errors.Is(err, status) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for _, issuer := range []string{"", "https://acme.torii.so\x00.evil", "https://\xff", strings.Repeat("a", 1<<20)} {
		if _, err := torii.NewVerifier(issuer); !errors.Is(err, torii.ErrInvalidArgument) {
			t.Errorf("%.20q: %v", issuer, err)
		}
	}
	long := issuer.Mint(t, `{"claims":{"long":"`+strings.Repeat("ø", 4000)+`\u0000","sub":"Åsa"}}`)
	auth, err := verifier.Verify(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Long, Sub string }
	if err := auth.DecodeClaims(&claims); err != nil || claims.Long != strings.Repeat("ø", 4000)+"\x00" || auth.UserID != "Åsa" {
		t.Error(err, auth.UserID)
	}
}

// A verifier that was never closed is freed after it was collected, and its clock with it.
func TestForgottenVerifier(t *testing.T) {
	freed := make(chan struct{})
	func() {
		now := new(time.Time)
		runtime.AddCleanup(now, func(freed chan struct{}) { close(freed) }, freed)
		if _, err := torii.NewVerifier("https://acme.torii.so", torii.WithClock(func() time.Time { return *now })); err != nil {
			t.Fatal(err)
		}
	}()
	for deadline := time.After(120 * time.Second); ; {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-deadline:
			t.Fatal("never freed")
		case <-time.After(time.Millisecond):
		}
	}
}
