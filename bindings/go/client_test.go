package torii_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	torii "libtorii.internal/go"
	"libtorii.internal/go/toriitest"
)

const nobody = "01890000-0000-7000-8000-000000000000"

func newClient(t testing.TB, options ...torii.ClientOption) (*torii.Client, *toriitest.Environment) {
	t.Helper()
	issuer := newEnvironment(t)
	client := issuer.Client(t, options...)
	tell[any](t, "DELETE", "/requests", "")
	return client, issuer
}

// sent is the one request since the last call, as "METHOD path?query body".
func sent(t testing.TB) string {
	t.Helper()
	all := local.Requests(t, "/api/")
	if len(all) != 1 {
		t.Fatalf("%d requests: %v", len(all), all)
	}
	tell[any](t, "DELETE", "/requests", "")
	r := all[0]
	line := r.Method + " " + strings.TrimPrefix(r.Path, "/api/server/v1")
	if r.Query != "" {
		line += "?" + r.Query
	}
	return strings.TrimSpace(line + " " + r.Body)
}

// expect checks the outcome of a call and what went over the wire for it.
func expect[T any](t *testing.T, wire string) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", wire, err)
		}
		if got := sent(t); got != wire {
			t.Fatalf("sent %s\n not %s", got, wire)
		}
		return value
	}
}

func expectNothing(t *testing.T, wire string) func(err error) {
	return func(err error) {
		t.Helper()
		expect[any](t, wire)(nil, err)
	}
}

func noViolations(t testing.TB) {
	t.Helper()
	if violations := tell[[]any](t, "GET", "/violations", ""); len(violations) > 0 {
		t.Error(violations)
	}
}

func TestUsers(t *testing.T) {
	client, issuer := newClient(t)
	ctx, users := t.Context(), client.Users

	user := expect[*torii.User](t, `POST /users {"email":"ada@example.com","firstName":"Ada","publicMetadata":{"plan":"pro"},"privateMetadata":{}}`)(
		users.Create(ctx, torii.UserCreate{
			Email: "ada@example.com", FirstName: "Ada",
			PublicMetadata: torii.Metadata{"plan": "pro"}, PrivateMetadata: torii.Metadata{},
		}))
	if *user.Email != "ada@example.com" || user.LastName != nil || user.Status != "active" ||
		user.EnvironmentID != issuer.ID || user.PublicMetadata["plan"] != "pro" ||
		user.EmailVerifiedAt != nil || time.Since(user.CreatedAt).Abs() > time.Hour {
		t.Errorf("%+v", user)
	}
	id := user.ID
	path := "/users/" + id

	user = expect[*torii.User](t, "GET "+path)(users.Get(ctx, id))
	if user.ID != id {
		t.Errorf("%+v", user)
	}
	user = expect[*torii.User](t, "PATCH "+path+`/metadata {"publicMetadata":{"plan":null},"unsafeMetadata":{"theme":"dark"}}`)(
		users.UpdateMetadata(ctx, id, torii.MetadataUpdate{
			Public: torii.Metadata{"plan": nil}, Unsafe: torii.Metadata{"theme": "dark"},
		}))
	if len(user.PublicMetadata) != 0 || user.UnsafeMetadata["theme"] != "dark" {
		t.Errorf("%+v", user)
	}
	user = expect[*torii.User](t, "POST "+path+"/ban")(users.Ban(ctx, id))
	if user.Status != "banned" {
		t.Errorf("%+v", user)
	}
	user = expect[*torii.User](t, "POST "+path+"/unban")(users.Unban(ctx, id))
	if user.Status != "active" {
		t.Errorf("%+v", user)
	}
	page := expect[*torii.Page[torii.User]](t, "POST /users/search")(users.List(ctx, torii.UserQuery{}))
	if len(page.Items) != 1 || page.HasMore || page.NextCursor != "" {
		t.Errorf("%+v", page)
	}
	page = expect[*torii.Page[torii.User]](t, `POST /users/search?limit=7&cursor=`+nobody+
		` {"name":null,"email":"ada","userIds":[],"statuses":["active"],"createdAfter":"2026-01-02T03:04:05Z","organizationId":"`+nobody+`"}`)(
		users.List(ctx, torii.UserQuery{
			Limit: 7, Cursor: nobody,
			Name: torii.Clear[string](), Email: "ada", UserIDs: []string{}, Statuses: []string{"active"},
			CreatedAfter: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), OrganizationID: nobody,
		}))
	if len(page.Items) != 0 {
		t.Errorf("%+v", page)
	}
	expectNothing(t, "DELETE "+path)(users.Delete(ctx, id))
	noViolations(t)
}

// A field is set, cleared or left alone, whichever way it is said.
func TestUpdate(t *testing.T) {
	client, _ := newClient(t)
	user, err := client.Users.Create(t.Context(), torii.UserCreate{FirstName: "Augusta", LastName: "King"})
	if err != nil {
		t.Fatal(err)
	}
	sent(t)
	for _, c := range []struct {
		update torii.UserUpdate
		body   string
	}{
		{torii.UserUpdate{}, `{}`},
		{torii.UserUpdate{FirstName: torii.Set("Ada")}, `{"firstName":"Ada"}`},
		{torii.UserUpdate{FirstName: torii.Set("")}, `{"firstName":""}`},
		{torii.UserUpdate{LastName: torii.Clear[string]()}, `{"lastName":null}`},
		{torii.UserUpdate{FirstName: torii.Set("Ada"), LastName: torii.Clear[string]()}, `{"firstName":"Ada","lastName":null}`},
		{torii.UserUpdate{UnsafeMetadata: torii.Metadata{}}, `{"unsafeMetadata":{}}`},
		{torii.UserUpdate{UnsafeMetadata: torii.Metadata{"a": nil}}, `{"unsafeMetadata":{"a":null}}`},
		{torii.UserUpdate{Extra: map[string]any{"name": "Ada", "phone": nil}}, `{"name":"Ada","phone":null}`},
		{torii.UserUpdate{Locale: torii.Set("da"), Extra: map[string]any{"phone": nil}}, `{"locale":"da","phone":null}`},
	} {
		expect[*torii.User](t, "PATCH /users/"+user.ID+" "+c.body)(client.Users.Update(t.Context(), user.ID, c.update))
	}
	user, err = client.Users.Get(t.Context(), user.ID)
	if err != nil || *user.FirstName != "Ada" || user.LastName != nil || *user.Locale != "da" {
		t.Errorf("%+v, %v", user, err)
	}
	noViolations(t)
}

func TestSessions(t *testing.T) {
	client, issuer := newClient(t)
	ctx := t.Context()
	user, err := client.Users.Create(ctx, torii.UserCreate{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tell[any](t, "POST", "/issuers/"+issuer.Name+"/sessions", `{"user_id":"`+user.ID+`","user_agent":"Lynx"}`)
	}
	sent(t)
	path := "/users/" + user.ID + "/sessions"
	sessions := expect[[]torii.Session](t, "GET "+path)(client.Sessions.ListForUser(ctx, user.ID))
	if len(sessions) != 2 || sessions[0].UserID != user.ID || *sessions[0].UserAgent != "Lynx" ||
		sessions[0].ImpersonatedBy != nil || !sessions[0].ExpiresAt.After(sessions[0].CreatedAt) {
		t.Errorf("%+v", sessions)
	}
	expectNothing(t, "DELETE "+path+"/"+sessions[0].ID)(client.Sessions.Revoke(ctx, user.ID, sessions[0].ID))
	expectNothing(t, "DELETE "+path)(client.Sessions.RevokeAllForUser(ctx, user.ID))
	sessions = expect[[]torii.Session](t, "GET "+path)(client.Sessions.ListForUser(ctx, user.ID))
	if len(sessions) != 0 {
		t.Errorf("%+v", sessions)
	}
	noViolations(t)
}

func TestOrganizations(t *testing.T) {
	client, issuer := newClient(t)
	ctx, organizations := t.Context(), client.Organizations
	user, err := client.Users.Create(ctx, torii.UserCreate{})
	if err != nil {
		t.Fatal(err)
	}
	id := tell[struct{ ID string }](t, "POST", "/issuers/"+issuer.Name+"/organizations", `{"name":"Analytical Engines","slug":"ae"}`).ID
	tell[any](t, "POST", "/issuers/"+issuer.Name+"/organizations/"+id+"/members", `{"user_id":"`+user.ID+`","role":"org:administrator"}`)
	sent(t)
	path := "/organizations/" + id

	page := expect[*torii.Page[torii.Organization]](t, "GET /organizations?limit=2&name=ytical%20E")(
		organizations.List(ctx, torii.OrganizationQuery{Name: "ytical E", Limit: 2}))
	if len(page.Items) != 1 || page.Items[0].ID != id || *page.Items[0].Slug != "ae" {
		t.Errorf("%+v", page)
	}
	organization := expect[*torii.Organization](t, "GET "+path)(organizations.Get(ctx, id))
	if organization.Name != "Analytical Engines" || organization.RoleSetID != nil {
		t.Errorf("%+v", organization)
	}
	organization = expect[*torii.Organization](t, "PATCH "+path+`/metadata {"privateMetadata":{"seats":7}}`)(
		organizations.UpdateMetadata(ctx, id, torii.MetadataUpdate{Private: torii.Metadata{"seats": 7}}))
	if organization.PrivateMetadata["seats"] != 7.0 {
		t.Errorf("%+v", organization)
	}
	members := expect[*torii.Page[torii.OrganizationMember]](t, "GET "+path+"/members")(
		organizations.ListMembers(ctx, id, torii.PageQuery{}))
	if len(members.Items) != 1 || members.Items[0].UserID != user.ID || members.Items[0].Role != "org:administrator" {
		t.Errorf("%+v", members)
	}
	member := expect[*torii.OrganizationMember](t, "PATCH "+path+"/members/"+user.ID+`/metadata {"publicMetadata":{"desk":"3"}}`)(
		organizations.UpdateMemberMetadata(ctx, id, user.ID, torii.MetadataUpdate{Public: torii.Metadata{"desk": "3"}}))
	if member.PublicMetadata["desk"] != "3" {
		t.Errorf("%+v", member)
	}
	of := expect[*torii.Page[torii.UserOrganization]](t, "GET /users/"+user.ID+"/organizations?limit=3")(
		client.Users.ListOrganizations(ctx, user.ID, torii.PageQuery{Limit: 3}))
	if len(of.Items) != 1 || of.Items[0].OrganizationID != id || of.Items[0].PublicMetadata["desk"] != "3" {
		t.Errorf("%+v", of)
	}
	noViolations(t)
}

func TestInvitations(t *testing.T) {
	client, _ := newClient(t)
	ctx, invitations := t.Context(), client.Invitations

	invitation := expect[*torii.Invitation](t, `POST /invitations {"email":"ada@example.com","expiresInDays":3,"publicMetadata":{},"privateMetadata":{"from":"shop"}}`)(
		invitations.Create(ctx, torii.InvitationCreate{
			Email: "ada@example.com", ExpiresInDays: 3, PrivateMetadata: torii.Metadata{"from": "shop"},
		}))
	if invitation.Status != "PENDING" || invitation.AcceptedAt != nil {
		t.Errorf("%+v", invitation)
	}
	id := invitation.ID
	page := expect[*torii.Page[torii.Invitation]](t, "GET /invitations?limit=5&status=PENDING&status=REVOKED&search=ada%40")(
		invitations.List(ctx, torii.InvitationQuery{Statuses: []string{"PENDING", "REVOKED"}, Search: "ada@", Limit: 5}))
	if len(page.Items) != 1 || page.Items[0].ID != id {
		t.Errorf("%+v", page)
	}
	detail := expect[*torii.InvitationDetail](t, "GET /invitations/"+id)(invitations.Get(ctx, id))
	if detail.Email != "ada@example.com" || detail.PrivateMetadata["from"] != "shop" {
		t.Errorf("%+v", detail)
	}
	invitation = expect[*torii.Invitation](t, "POST /invitations/"+id+"/resend")(invitations.Resend(ctx, id))
	if invitation.ID != id {
		t.Errorf("%+v", invitation)
	}
	detail = expect[*torii.InvitationDetail](t, "PATCH /invitations/"+id+` {"privateMetadata":{"from":null}}`)(
		invitations.UpdateMetadata(ctx, id, torii.MetadataUpdate{Private: torii.Metadata{"from": nil}}))
	if len(detail.PrivateMetadata) != 0 {
		t.Errorf("%+v", detail)
	}
	expectNothing(t, "DELETE /invitations/"+id)(invitations.Revoke(ctx, id))
	_, err := invitations.UpdateMetadata(ctx, id, torii.MetadataUpdate{Private: torii.Metadata{}})
	var e *torii.Error
	if !errors.As(err, &e) || e.HTTPStatus != 409 || e.Code != "invitation_not_pending" {
		t.Errorf("%+v", err)
	}
	noViolations(t)
}

func TestImpersonation(t *testing.T) {
	client, _ := newClient(t)
	ctx := t.Context()
	user, err := client.Users.Create(ctx, torii.UserCreate{})
	if err != nil {
		t.Fatal(err)
	}
	sent(t)
	token := expect[*torii.ImpersonationToken](t, "POST /users/"+user.ID+`/impersonation-token {"actorUserId":"`+user.ID+`","reason":"","expiresInSeconds":60}`)(
		client.Impersonation.CreateToken(ctx, user.ID, torii.ImpersonationCreate{ActorUserID: user.ID, ExpiresInSeconds: 60}))
	if token.Token == "" || token.ExpiresInSeconds != 60 {
		t.Errorf("%+v", token)
	}
	noViolations(t)
}

func TestAllowedOrigins(t *testing.T) {
	client, _ := newClient(t)
	ctx := t.Context()
	want := []string{"https://shop.example", "http://localhost:3000"}
	got := expect[[]string](t, `PUT /allowed-origins {"origins":["https://shop.example","http://localhost:3000"]}`)(client.AllowedOrigins.Set(ctx, want...))
	if !slices.Equal(got, want) {
		t.Error(got)
	}
	got = expect[[]string](t, "GET /allowed-origins")(client.AllowedOrigins.Get(ctx))
	if !slices.Equal(got, want) {
		t.Error(got)
	}
	got = expect[[]string](t, `PUT /allowed-origins {"origins":[]}`)(client.AllowedOrigins.Set(ctx))
	if len(got) != 0 {
		t.Error(got)
	}
	noViolations(t)
}

func TestRequest(t *testing.T) {
	client, _ := newClient(t)
	var page torii.Page[torii.User]
	err := client.Request(t.Context(), "POST", "/api/server/v1/users/search", url.Values{"limit": {"3"}}, map[string]any{"email": "a&b"}, &page)
	expectNothing(t, `POST /users/search?limit=3 {"email":"a\u0026b"}`)(err)
	var origins struct{ Origins []string }
	expectNothing(t, "GET /allowed-origins")(client.Request(t.Context(), "GET", "/api/server/v1/allowed-origins", nil, nil, &origins))
	expectNothing(t, "GET /allowed-origins")(client.Request(t.Context(), "GET", "/api/server/v1/allowed-origins", nil, nil, nil))
	noViolations(t)
}

func TestPages(t *testing.T) {
	client, issuer := newClient(t)
	ctx := t.Context()
	var want []string
	for range 5 {
		user, err := client.Users.Create(ctx, torii.UserCreate{FirstName: "Ada"})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, user.ID)
	}
	tell[any](t, "DELETE", "/requests", "")
	var got []string
	for user, err := range client.Users.All(ctx, torii.UserQuery{Limit: 2, Statuses: []string{"active"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, user.ID)
	}
	if !slices.Equal(got, want) {
		t.Error(got, want)
	}
	all := local.Requests(t, "/api/")
	if len(all) != 3 || all[1].Query != "limit=2&cursor="+want[1] || all[2].Body != `{"statuses":["active"]}` {
		t.Error(all)
	}
	tell[any](t, "DELETE", "/requests", "")
	for range client.Users.All(ctx, torii.UserQuery{Limit: 2}) {
		break
	}
	if n := len(local.Requests(t, "/api/")); n != 1 {
		t.Errorf("%d requests", n)
	}
	organization := tell[struct{ ID string }](t, "POST", "/issuers/"+issuer.Name+"/organizations", `{"name":"AE"}`).ID
	for _, id := range want[:3] {
		tell[any](t, "POST", "/issuers/"+issuer.Name+"/organizations/"+organization+"/members", `{"user_id":"`+id+`","role":"r"}`)
		_, err := client.Invitations.Create(ctx, torii.InvitationCreate{Email: id + "@example.com"})
		if err != nil {
			t.Fatal(err)
		}
	}
	counts := map[string]int{}
	for _, err := range client.Organizations.AllMembers(ctx, organization, torii.PageQuery{Limit: 2}) {
		counts["members"]++
		must(err)
	}
	for _, err := range client.Organizations.All(ctx, torii.OrganizationQuery{}) {
		counts["organizations"]++
		must(err)
	}
	for _, err := range client.Users.AllOrganizations(ctx, want[0], torii.PageQuery{}) {
		counts["user's"]++
		must(err)
	}
	for _, err := range client.Invitations.All(ctx, torii.InvitationQuery{Limit: 1}) {
		counts["invitations"]++
		must(err)
	}
	if counts["members"] != 3 || counts["organizations"] != 1 || counts["user's"] != 1 || counts["invitations"] != 3 {
		t.Error(counts)
	}
	failures := 0
	for user, err := range client.Users.All(ctx, torii.UserQuery{UserIDs: make([]string, 101)}) {
		if failures++; user != nil || !errors.Is(err, torii.ErrAPI) {
			t.Error(user, err)
		}
	}
	if failures != 1 {
		t.Errorf("%d failures", failures)
	}
}

func TestClientErrors(t *testing.T) {
	client, _ := newClient(t, torii.WithMaxRetries(0), torii.WithTimeout(5*time.Second))
	ctx := t.Context()
	var e *torii.Error

	_, err := client.Users.Get(ctx, nobody)
	if !errors.As(err, &e) || e.Status != torii.ErrAPI || e.HTTPStatus != 404 || e.SupportID == "" || e.Code == "" ||
		!strings.Contains(e.Body, e.SupportID) || e.Message == "" || e.RetryAfter != 0 {
		t.Errorf("%+v", e)
	}
	if !errors.Is(err, torii.ErrAPI) || errors.Is(err, torii.ErrToken) {
		t.Error(err)
	}
	_, err = client.Users.Get(ctx, "not-a-uuid")
	if !errors.Is(err, torii.ErrInvalidArgument) || !strings.Contains(err.Error(), "user_id") {
		t.Error(err)
	}
	_, err = client.Users.List(ctx, torii.UserQuery{Limit: -1})
	if !errors.Is(err, torii.ErrInvalidArgument) || !strings.Contains(err.Error(), "limit") {
		t.Error(err)
	}

	local.Fault(t, "/api/", `{"kind":"status","status":429,"headers":{"Retry-After":"7"}}`)
	if _, err = client.Users.Create(ctx, torii.UserCreate{}); !errors.As(err, &e) || e.HTTPStatus != 429 || e.RetryAfter != 7*time.Second {
		t.Errorf("%+v", err)
	}
	local.ClearFaults(t)
	local.Fault(t, "/api/", `{"kind":"close"}`)
	if _, err = client.Users.Create(ctx, torii.UserCreate{}); !errors.Is(err, torii.ErrTransport) {
		t.Error(err)
	}
	local.ClearFaults(t)
	local.Fault(t, "/api/", `{"kind":"replace","body":"not JSON"}`)
	if _, err = client.AllowedOrigins.Get(ctx); !errors.As(err, &e) || e.Status != torii.ErrResponse || e.HTTPStatus != 200 {
		t.Errorf("%+v", err)
	}
	local.ClearFaults(t)
	local.Fault(t, "/api/", `{"kind":"replace","body":"{\"origins\":7}"}`)
	if _, err = client.AllowedOrigins.Get(ctx); err == nil || !strings.Contains(err.Error(), "origins") {
		t.Error(err)
	}
	local.ClearFaults(t)
	local.Fault(t, "/api/", `{"kind":"hang"}`)
	quick, _ := torii.NewClient("sk_test_x", torii.WithAPIURL(local.URL), torii.WithTimeout(100*time.Millisecond))
	defer quick.Close()
	if _, err = quick.Users.Get(ctx, nobody); !errors.Is(err, torii.ErrTimeout) {
		t.Error(err)
	}
	local.ClearFaults(t)

	wrong, err := torii.NewClient("sk_test_wrong", torii.WithAPIURL(local.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if _, err = wrong.Users.Get(ctx, nobody); !errors.As(err, &e) || e.HTTPStatus != http.StatusUnauthorized {
		t.Errorf("%+v", err)
	}
}

func TestClientContext(t *testing.T) {
	client, _ := newClient(t, torii.WithMaxRetries(0))
	local.Fault(t, "/api/", `{"kind":"hang"}`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	// The API hangs until the faults are cleared: nothing but the context ends these.
	if _, err := client.Users.Get(ctx, nobody); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := client.Users.Delete(ctx, nobody); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestClientClose(t *testing.T) {
	client, _ := newClient(t)
	client.Close()
	client.Close()
	if _, err := client.Users.Get(t.Context(), nobody); err != torii.ErrClosed {
		t.Error(err)
	}
	if err := client.Users.Delete(t.Context(), nobody); err != torii.ErrClosed {
		t.Error(err)
	}
}

func TestClientConcurrency(t *testing.T) {
	client, _ := newClient(t)
	user, err := client.Users.Create(t.Context(), torii.UserCreate{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			if got, err := client.Users.Get(t.Context(), user.ID); err != nil || got.ID != user.ID {
				t.Error(got, err)
			}
		})
	}
	group.Wait()
}

// Refuses wrong options by name.
func TestClientOptions(t *testing.T) {
	for name, c := range map[string]struct {
		option torii.ClientOption
		status torii.Status
		about  string
	}{
		"url":             {torii.WithAPIURL("api"), torii.ErrInvalidArgument, "url"},
		"timeout":         {torii.WithTimeout(time.Hour), torii.ErrInvalidArgument, "timeout"},
		"connect timeout": {torii.WithConnectTimeout(0), torii.ErrInvalidArgument, "timeout"},
		"retries":         {torii.WithMaxRetries(11), torii.ErrInvalidArgument, "retries"},
		"CA file":         {torii.WithAPICAFile("/nowhere"), torii.ErrInvalidConfig, "/nowhere"},
		"proxy":           {torii.WithAPIProxy("proxy"), torii.ErrInvalidArgument, "proxy"},
		"user agent":      {torii.WithUserAgent("a\nb"), torii.ErrInvalidArgument, "user_agent_suffix"},
		"plain http":      {torii.WithAPIURL("http://api.torii.so"), torii.ErrInvalidConfig, "http"},
	} {
		_, err := torii.NewClient("sk_test_x", c.option)
		if !errors.Is(err, c.status) || !strings.Contains(err.Error(), c.about) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := torii.NewClient("pk_test_x"); !errors.Is(err, torii.ErrInvalidArgument) || strings.Contains(err.Error(), "pk_test_x") {
		t.Error(err)
	}
	client, err := torii.NewClient("sk_test_x", torii.WithAPIURL("http://api.example"), torii.WithInsecureAPI())
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	client, _ = newClient(t, torii.WithUserAgent("shop/1.2"))
	if _, err := client.AllowedOrigins.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if headers := string(local.Requests(t, "/api/")[0].Headers); !strings.Contains(headers, "shop/1.2") {
		t.Error(headers)
	}
}

// Every text crosses as it is, or is refused by name before anything is sent.
func TestClientTexts(t *testing.T) {
	client, _ := newClient(t)
	ctx := t.Context()
	long := strings.Repeat("å", 1<<19)
	for _, name := range []string{"nul\x00nul", "“\u2028”", "\ufffd", ""} {
		user, err := client.Users.Create(ctx, torii.UserCreate{PublicMetadata: torii.Metadata{"name": name}})
		if err != nil || user.PublicMetadata["name"] != name {
			t.Errorf("%q: %+v, %v", name, user, err)
		}
	}
	tell[any](t, "DELETE", "/requests", "")
	if _, err := client.Users.Create(ctx, torii.UserCreate{FirstName: long}); err != nil && !errors.Is(err, torii.ErrAPI) {
		t.Error(err)
	}
	if body := local.Requests(t, "/api/")[0].Body; body != `{"firstName":"`+long+`"}` {
		t.Errorf("%d bytes", len(body))
	}
	tell[any](t, "DELETE", "/requests", "")
	for about, call := range map[string]func() error{
		"firstName": func() error {
			_, err := client.Users.Update(ctx, nobody, torii.UserUpdate{FirstName: torii.Set("\xff")})
			return err
		},
		"publicMetadata.a.b": func() error {
			_, err := client.Users.Create(ctx, torii.UserCreate{PublicMetadata: torii.Metadata{"a": map[string]any{"b": []any{"\xff"}}}})
			return err
		},
		"a name in publicMetadata": func() error {
			_, err := client.Users.Create(ctx, torii.UserCreate{PublicMetadata: torii.Metadata{"\xff": 1}})
			return err
		},
		"status": func() error {
			_, err := client.Invitations.List(ctx, torii.InvitationQuery{Statuses: []string{"\xff"}})
			return err
		},
		"search": func() error {
			_, err := client.Invitations.List(ctx, torii.InvitationQuery{Search: "\xff"})
			return err
		},
		"user_id":       func() error { return client.Users.Delete(ctx, nobody+"\x00") },
		"invitation_id": func() error { return client.Invitations.Revoke(ctx, "") },
	} {
		if err := call(); !errors.Is(err, torii.ErrInvalidArgument) || !strings.Contains(err.Error(), about) {
			t.Errorf("%s: %v", about, err)
		}
	}
	if all := local.Requests(t, "/api/"); len(all) != 0 {
		t.Error(all)
	}
	for _, key := range []string{"", "sk_test_\x00", "sk_test_\xff", "sk_test_" + long} {
		if _, err := torii.NewClient(key); !errors.Is(err, torii.ErrInvalidArgument) {
			t.Errorf("%.20q: %v", key, err)
		}
	}
}
