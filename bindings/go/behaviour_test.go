package torii_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

// longText is a string, or repeated pieces.
type longText string

func (l *longText) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(l))
	}
	var pieces struct{ Repeat [][2]any }
	if err := json.Unmarshal(data, &pieces); err != nil {
		return err
	}
	var whole strings.Builder
	for _, piece := range pieces.Repeat {
		whole.WriteString(strings.Repeat(piece[0].(string), int(piece[1].(float64))))
	}
	*l = longText(whole.String())
	return nil
}

type corpus struct {
	KeySets map[string]struct {
		JWKS    longText
		Usable  int64
		Skipped int64
	} `json:"key_sets"`
	Cases []struct {
		Name    string
		Token   *longText
		Header  *longText
		KeySet  string `json:"key_set"`
		Options struct {
			Issuer  string
			Issuers []struct {
				Issuer string
				KeySet string `json:"key_set"`
			}
			Audiences []string
			Leeway    *int
			Require   []string
			Now       *int64

			IgnoreAudience     bool `json:"ignore_audience"`
			MaxLifetime        *int `json:"max_lifetime_seconds"`
			LegacyOrganization bool `json:"legacy_organization"`
			Requirements       *struct {
				Flags         torii.Flags
				Claims        []struct{ Pointer, JSON string }
				Organizations []struct {
					ID   string
					Role *string
				}
			}
		}
		Expect struct {
			Status string
			Auth   *struct {
				UserID          string  `json:"user_id"`
				EnvironmentID   string  `json:"environment_id"`
				Issuer          string  `json:"issuer"`
				Locale          *string `json:"locale"`
				EmailVerified   bool    `json:"email_verified"`
				ProfileComplete bool    `json:"profile_complete"`
				Impersonating   bool    `json:"impersonating"`

				ActorID          *string     `json:"actor_id"`
				OrganizationID   *string     `json:"organization_id"`
				OrganizationRole *string     `json:"organization_role"`
				Flags            torii.Flags `json:"flags"`

				IssuedAt   int64    `json:"issued_at"`
				ExpiresAt  int64    `json:"expires_at"`
				ClaimsJSON longText `json:"claims_json"`
			}
		}
	}
	Webhooks []struct {
		Name      string
		Secrets   []string
		ID        longText
		Timestamp longText
		Signature longText
		BodyHex   string `json:"body_hex"`
		Now       int64
		Tolerance int64
		Expect    struct {
			Status string
			SentAt int64 `json:"sent_at"`
		}
	}
}

func readCorpus(t *testing.T) *corpus {
	t.Helper()
	file, err := os.ReadFile("../../tests/behaviour/verify.json")
	if err != nil {
		t.Fatal(err)
	}
	var c corpus
	if err := json.Unmarshal(file, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// orEmpty is what a field of Auth holds where C says NULL.
func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// Every case gets its status and claims: the first time, and again from the token cache. The
// requirements beside `require` are those of the call, and then those of the verifier.
func TestBehaviour(t *testing.T) {
	corpus := readCorpus(t)
	for _, c := range corpus.Cases {
		t.Run(c.Name, func(t *testing.T) {
			keys := func(name string) string { return string(corpus.KeySets[name].JWKS) }
			options := []torii.VerifierOption{torii.WithJWKS(keys(c.KeySet))}
			if len(c.Options.Audiences) > 0 {
				options = append(options, torii.WithAudience(c.Options.Audiences...))
			}
			for _, further := range c.Options.Issuers {
				options = append(options, torii.WithIssuerJWKS(further.Issuer, keys(further.KeySet)))
			}
			if c.Options.Leeway != nil {
				options = append(options, torii.WithLeeway(time.Duration(*c.Options.Leeway)*time.Second))
			}
			if c.Options.MaxLifetime != nil {
				options = append(options, torii.WithMaxLifetime(time.Duration(*c.Options.MaxLifetime)*time.Second))
			}
			if c.Options.IgnoreAudience {
				options = append(options, torii.WithIgnoreAudience())
			}
			if c.Options.LegacyOrganization {
				options = append(options, torii.WithLegacyOrganization())
			}
			for _, name := range c.Options.Require {
				options = append(options, torii.Require(flagsByName[name]))
			}
			if c.Options.Now != nil {
				options = append(options, torii.WithClock(func() time.Time { return time.Unix(*c.Options.Now, 0) }))
			}
			var required []torii.Requirement
			if r := c.Options.Requirements; r != nil {
				if r.Flags != 0 {
					required = append(required, r.Flags)
				}
				for _, claim := range r.Claims {
					required = append(required, torii.RequireClaim(claim.Pointer, json.RawMessage(claim.JSON)))
				}
				for _, o := range r.Organizations {
					if o.Role == nil {
						required = append(required, torii.RequireOrganization(o.ID))
					} else {
						required = append(required, torii.RequireOrganizationRole(o.ID, *o.Role))
					}
				}
			}
			verify := func(verifier *torii.Verifier, requirements ...*torii.Requirements) {
				t.Helper()
				defer verifier.Close()
				for range 2 {
					var auth *torii.Auth
					var err error
					if c.Token != nil {
						auth, err = verifier.Verify(t.Context(), string(*c.Token), requirements...)
					} else {
						auth, err = verifier.Authenticate(t.Context(), string(*c.Header), requirements...)
					}
					want := c.Expect.Auth
					if want == nil {
						var e *torii.Error
						if auth != nil || !errors.As(err, &e) || e.Status.String() != c.Expect.Status {
							t.Fatalf("%v, %v is not %s", auth, err, c.Expect.Status)
						}
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if auth.UserID != want.UserID || auth.EnvironmentID != want.EnvironmentID ||
						auth.Issuer != want.Issuer || (auth.Locale == nil) != (want.Locale == nil) ||
						orEmpty(auth.Locale) != orEmpty(want.Locale) || auth.EmailVerified != want.EmailVerified ||
						auth.ProfileComplete != want.ProfileComplete || auth.Impersonating != want.Impersonating ||
						auth.ActorID != orEmpty(want.ActorID) || auth.OrganizationID != orEmpty(want.OrganizationID) ||
						auth.OrganizationRole != orEmpty(want.OrganizationRole) ||
						!auth.Meets(want.Flags) || auth.Meets(^want.Flags) ||
						auth.IssuedAt.Unix() != want.IssuedAt || auth.ExpiresAt.Unix() != want.ExpiresAt ||
						auth.ClaimsJSON != string(want.ClaimsJSON) {
						t.Fatalf("%+v is not %+v", auth, want)
					}
				}
			}
			make := func(options ...torii.VerifierOption) *torii.Verifier {
				t.Helper()
				verifier, err := torii.NewVerifier(c.Options.Issuer, options...)
				if err != nil {
					t.Fatal(err)
				}
				return verifier
			}
			if required == nil {
				verify(make(options...))
				return
			}
			verify(make(options...), newRequirements(t, required...))
			verify(make(append(options, torii.Require(required...))...))
		})
	}
	t.Logf("%d cases", len(corpus.Cases))
}

// Every key set is counted, or refused.
func TestKeySets(t *testing.T) {
	corpus := readCorpus(t)
	for name, set := range corpus.KeySets {
		verifier, err := torii.NewVerifier("https://acme.torii.so", torii.WithJWKS(string(set.JWKS)))
		if set.Usable == 0 {
			if !errors.Is(err, torii.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stats, err := verifier.Stats()
		if err != nil || stats.Issuers[0].Keys != set.Usable || stats.Issuers[0].Skipped != set.Skipped {
			t.Errorf("%s: %+v, %v", name, stats, err)
		}
		verifier.Close()
	}
	t.Logf("%d key sets", len(corpus.KeySets))
}

// Every webhook gets its status.
func TestWebhookBehaviour(t *testing.T) {
	corpus := readCorpus(t)
	for _, c := range corpus.Webhooks {
		t.Run(c.Name, func(t *testing.T) {
			header := http.Header{}
			for name, value := range map[string]longText{
				"Webhook-Id": c.ID, "Webhook-Timestamp": c.Timestamp, "Webhook-Signature": c.Signature,
			} {
				if value != "" {
					header.Set(name, string(value))
				}
			}
			body, err := hex.DecodeString(c.BodyHex)
			if err != nil {
				t.Fatal(err)
			}
			verify := func() (*torii.Webhook, error) {
				first, options := "", []torii.WebhookOption{}
				for i, secret := range c.Secrets {
					if i == 0 {
						first = secret
					} else {
						options = append(options, torii.WithSecret(secret))
					}
				}
				options = append(options, torii.WithTolerance(time.Duration(c.Tolerance)*time.Second))
				verifier, err := torii.NewWebhookVerifier(first, options...)
				if err != nil {
					return nil, err
				}
				defer verifier.Close()
				return verifier.VerifyAt(header, body, time.Unix(c.Now, 0))
			}
			webhook, err := verify()
			if c.Expect.Status != "TORII_OK" {
				var e *torii.Error
				if webhook != nil || !errors.As(err, &e) || e.Status.String() != c.Expect.Status {
					t.Fatalf("%v, %v is not %s", webhook, err, c.Expect.Status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if webhook.ID != string(c.ID) || webhook.SentAt.Unix() != c.Expect.SentAt {
				t.Fatalf("%+v is not %+v", webhook, c.Expect)
			}
		})
	}
	t.Logf("%d webhooks", len(corpus.Webhooks))
}
