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

	torii "github.com/torii-so/libtorii/bindings/go"
)

// longText is a string, or pieces that are repeated.
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
		}
		Expect struct {
			Status string
			Auth   *struct {
				UserID          string   `json:"user_id"`
				EnvironmentID   string   `json:"environment_id"`
				Issuer          string   `json:"issuer"`
				Locale          *string  `json:"locale"`
				EmailVerified   bool     `json:"email_verified"`
				ProfileComplete bool     `json:"profile_complete"`
				Impersonating   bool     `json:"impersonating"`
				IssuedAt        int64    `json:"issued_at"`
				ExpiresAt       int64    `json:"expires_at"`
				ClaimsJSON      longText `json:"claims_json"`
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
			Status      string
			SecretIndex int   `json:"secret_index"`
			SentAt      int64 `json:"sent_at"`
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

// Every case gets the verdict it must get: the first time, and again from the cache of verdicts.
func TestBehaviour(t *testing.T) {
	requirements := map[string]torii.Requirement{
		"email_verified":   torii.EmailVerified,
		"profile_complete": torii.ProfileComplete,
		"not_impersonated": torii.NotImpersonated,
	}
	corpus := readCorpus(t)
	for _, c := range corpus.Cases {
		t.Run(c.Name, func(t *testing.T) {
			keys := func(name string) torii.VerifierOption {
				return torii.WithJWKS(string(corpus.KeySets[name].JWKS))
			}
			options := []torii.VerifierOption{keys(c.KeySet), torii.WithAudience(c.Options.Audiences...)}
			for _, further := range c.Options.Issuers {
				options = append(options, torii.WithIssuer(further.Issuer), keys(further.KeySet))
			}
			if c.Options.Leeway != nil {
				options = append(options, torii.WithLeeway(time.Duration(*c.Options.Leeway)*time.Second))
			}
			for _, requirement := range c.Options.Require {
				options = append(options, torii.Require(requirements[requirement]))
			}
			if c.Options.Now != nil {
				options = append(options, torii.WithClock(func() time.Time { return time.Unix(*c.Options.Now, 0) }))
			}
			verifier, err := torii.NewVerifier(c.Options.Issuer, options...)
			if err != nil {
				t.Fatal(err)
			}
			defer verifier.Close()
			for range 2 {
				var auth *torii.Auth
				if c.Token != nil {
					auth, err = verifier.Verify(t.Context(), string(*c.Token))
				} else {
					auth, err = verifier.Authenticate(t.Context(), string(*c.Header))
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
					want.Locale != nil && *auth.Locale != *want.Locale ||
					auth.EmailVerified != want.EmailVerified ||
					auth.ProfileComplete != want.ProfileComplete ||
					auth.Impersonating != want.Impersonating ||
					auth.IssuedAt.Unix() != want.IssuedAt || auth.ExpiresAt.Unix() != want.ExpiresAt ||
					auth.ClaimsJSON != string(want.ClaimsJSON) {
					t.Fatalf("%+v is not %+v", auth, want)
				}
			}
		})
	}
	t.Logf("%d cases", len(corpus.Cases))
}

// Every key set is counted right, or refused.
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

// Every webhook gets the verdict it must get.
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
			webhook, err := torii.VerifyWebhook(c.Secrets, header, body,
				torii.WithTolerance(time.Duration(c.Tolerance)*time.Second), torii.WithNow(time.Unix(c.Now, 0)))
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
			if webhook.ID != string(c.ID) || webhook.SentAt.Unix() != c.Expect.SentAt ||
				webhook.SecretIndex != c.Expect.SecretIndex {
				t.Fatalf("%+v is not %+v", webhook, c.Expect)
			}
		})
	}
	t.Logf("%d webhooks", len(corpus.Webhooks))
}
