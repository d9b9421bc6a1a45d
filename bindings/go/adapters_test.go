package torii_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

type adapterRequirements struct {
	Flags         []string
	Claims        []struct{ Pointer, JSON string }
	Organizations []struct {
		ID   string
		Role *string
	}
}

type adapterConfiguration struct {
	Issuer           string
	Audiences        []string
	Optional         bool
	Header, Cookie   string
	Realm            string
	ResourceMetadata string `json:"resource_metadata"`
	Skip             []string
	Requirements     *adapterRequirements
	Routes           map[string]adapterRequirements
}

type adapterRow struct {
	Name, Configuration, Answer string
	User                        *string
	Method, Path                string
	Headers                     [][2]string
	Body                        string
	ServerMayRefuse             []int `json:"server_may_refuse"`
	Only, Except                []string
}

type adapterCorpus struct {
	NeverInRefusals []string `json:"never_in_refusals"`
	Setup           []struct {
		Path string
		Body json.RawMessage
	}
	Tokens map[string]struct {
		Issuer string
		Mint   json.RawMessage
		Repeat string
		Times  int
	}
	Answers map[string]struct {
		Status          int
		Code            *string
		WWWAuthenticate *string `json:"www_authenticate"`
		RetryAfter      bool    `json:"retry_after"`
		CacheControl    *string `json:"cache_control"`
	}
	Configurations map[string]adapterConfiguration
	Rows           []adapterRow
}

// flagsByName are the names of flags in the corpora.
var flagsByName = map[string]torii.Flags{
	"email_verified":   torii.EmailVerified,
	"profile_complete": torii.ProfileComplete,
	"not_impersonated": torii.NotImpersonated,
	"organization":     torii.OrganizationActive,
}

func (r adapterRequirements) all() (all []torii.Requirement) {
	for _, flag := range r.Flags {
		all = append(all, flagsByName[flag])
	}
	for _, claim := range r.Claims {
		all = append(all, torii.RequireClaim(claim.Pointer, json.RawMessage(claim.JSON)))
	}
	for _, organization := range r.Organizations {
		if organization.Role == nil {
			all = append(all, torii.RequireOrganization(organization.ID))
		} else {
			all = append(all, torii.RequireOrganizationRole(organization.ID, *organization.Role))
		}
	}
	return all
}

// handlerOf is the application of a configuration: one verifier, and a middleware for each route.
func handlerOf(t *testing.T, c adapterConfiguration) http.Handler {
	t.Helper()
	var options []torii.VerifierOption
	if c.Audiences != nil {
		options = append(options, torii.WithAudience(c.Audiences...))
	}
	if c.Realm != "" {
		options = append(options, torii.WithRealm(c.Realm))
	}
	if c.ResourceMetadata != "" {
		options = append(options, torii.WithResourceMetadata(c.ResourceMetadata))
	}
	if c.Requirements != nil {
		options = append(options, torii.Require(c.Requirements.all()...))
	}
	verifier := newVerifier(t, local.URL+"/"+c.Issuer, options...)

	middleware := []torii.MiddlewareOption{torii.FromCookie(c.Cookie), torii.Skip(c.Skip...)}
	if c.Header != "" {
		middleware = append(middleware, torii.FromHeader(c.Header))
	}
	if c.Optional {
		middleware = append(middleware, torii.Optional())
	}
	routes := map[string]http.Handler{}
	for path, route := range c.Routes {
		requirements := newRequirements(t, route.all()...)
		routes[path] = torii.Middleware(verifier, append(middleware, torii.WithRequirements(requirements))...)(http.HandlerFunc(tellUser))
	}
	others := torii.Middleware(verifier, middleware...)(http.HandlerFunc(tellUser))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if route, ok := routes[r.URL.Path]; ok {
			route.ServeHTTP(w, r)
		} else {
			others.ServeHTTP(w, r)
		}
	})
}

// tellUser repeats the body, and tells who is asking.
func tellUser(w http.ResponseWriter, r *http.Request) {
	user := "-"
	if auth, ok := torii.AuthFromContext(r.Context()); ok {
		user = auth.UserID
	}
	w.Header().Set("Handler-User", user)
	_, _ = io.Copy(w, r.Body)
}

// send sends a request as it stands and reads the answer.
func send(t *testing.T, address, method, path string, headers [][2]string, body string) (*http.Response, string) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, path, address)
	for _, header := range headers {
		fmt.Fprintf(&text, "%s: %s\r\n", header[0], header[1])
	}
	if body != "" {
		fmt.Fprintf(&text, "Content-Length: %d\r\n", len(body))
	}
	if _, err := io.WriteString(connection, text.String()+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(answer)
}

// The answers that every adapter gives: tests/behaviour/ADAPTERS.md.
func TestAdapters(t *testing.T) {
	file, err := os.ReadFile("../../tests/behaviour/adapters.json")
	if err != nil {
		t.Fatal(err)
	}
	var corpus adapterCorpus
	if err := json.Unmarshal(file, &corpus); err != nil {
		t.Fatal(err)
	}
	tell[any](t, "POST", "/reset", "")
	torii.ForgetKeys()
	t.Cleanup(func() { local.ClearFaults(t) })
	for _, request := range corpus.Setup {
		tell[any](t, "POST", request.Path, string(request.Body))
	}
	servers := map[string]string{}
	for name, configuration := range corpus.Configurations {
		server := httptest.NewServer(handlerOf(t, configuration))
		t.Cleanup(server.Close)
		servers[name] = server.Listener.Addr().String()
	}
	// This adapter's own shape of a body, by the code.
	shapes := map[string]string{
		"authentication_failed": "unauthorized", "forbidden": "forbidden", "keys_unavailable": "unavailable",
	}
	placeholder := regexp.MustCompile(`\{(.+?)\}`)
	rows := 0
	for _, row := range corpus.Rows {
		if len(row.Only) > 0 && !slices.Contains(row.Only, "go") || slices.Contains(row.Except, "go") {
			continue
		}
		rows++
		t.Run(row.Name, func(t *testing.T) {
			tokens := map[string]string{}
			fill := func(text string) string {
				return placeholder.ReplaceAllStringFunc(text, func(braced string) string {
					name := braced[1 : len(braced)-1]
					if _, ok := tokens[name]; !ok {
						how, ok := corpus.Tokens[name]
						if !ok {
							t.Fatal("no token", name)
						}
						if tokens[name] = strings.Repeat(how.Repeat, how.Times); how.Mint != nil {
							tokens[name] = tell[struct{ Token string }](t, "POST", "/issuers/"+how.Issuer+"/tokens", string(how.Mint)).Token
						}
					}
					return tokens[name]
				})
			}
			headers := make([][2]string, len(row.Headers))
			for i, header := range row.Headers {
				headers[i] = [2]string{header[0], fill(header[1])}
			}
			sent := fill(row.Body)
			response, body := send(t, servers[row.Configuration], row.Method, fill(row.Path), headers, sent)
			header := func(name string) *string {
				if values, ok := response.Header[http.CanonicalHeaderKey(name)]; ok {
					all := strings.Join(values, ", ")
					return &all
				}
				return nil
			}
			same := func(what string, got, want *string) {
				t.Helper()
				if (got == nil) != (want == nil) || got != nil && *got != *want {
					t.Errorf("%s: %v is not %v", what, show(got), show(want))
				}
			}
			if slices.Contains(row.ServerMayRefuse, response.StatusCode) {
				same("Handler-User", header("Handler-User"), nil)
				return
			}
			want := corpus.Answers[row.Answer]
			if response.StatusCode != want.Status {
				t.Fatalf("%s %s", response.Status, body)
			}
			same("WWW-Authenticate", header("WWW-Authenticate"), want.WWWAuthenticate)
			same("Cache-Control", header("Cache-Control"), want.CacheControl)
			if retry := header("Retry-After"); !want.RetryAfter {
				same("Retry-After", retry, nil)
			} else if retry == nil {
				t.Error("no Retry-After")
			} else if seconds, err := strconv.Atoi(*retry); err != nil || seconds < 1 {
				t.Error("Retry-After:", *retry)
			}
			if want.Status == 200 {
				user := "-"
				if row.User != nil {
					user = *row.User
				}
				same("Handler-User", header("Handler-User"), &user)
				if row.Method != "HEAD" && body != sent {
					t.Errorf("body: %q", body)
				}
				return
			}
			same("Handler-User", header("Handler-User"), nil)
			if row.Method != "HEAD" {
				kind := "application/json"
				same("Content-Type", header("Content-Type"), &kind)
				if body != fmt.Sprintf(`{"error":%q}`, shapes[*want.Code]) {
					t.Errorf("body: %s", body)
				}
			}
			for _, never := range corpus.NeverInRefusals {
				if strings.Contains(body, never) {
					t.Errorf("%q is in the body", never)
				}
			}
			for _, token := range tokens {
				for _, secret := range strings.Split(token, ".")[strings.Count(token, ".")/2:] {
					if len(secret) > 8 && strings.Contains(fmt.Sprint(response.Header, body), secret) {
						t.Error("the answer holds a part of the token")
					}
				}
			}
		})
	}
	if rows == 0 {
		t.Fatal("no row")
	}
	t.Logf("%d rows", rows)
}

func show(text *string) string {
	if text == nil {
		return "absent"
	}
	return strconv.Quote(*text)
}
