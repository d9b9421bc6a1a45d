package torii_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

const (
	webhookSecret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
	otherSecret   = "whsec_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4Q="
)

// signed returns the header of a webhook signed as Standard Webhooks 1.0.0 describes.
func signed(id string, sent time.Time, body []byte) http.Header {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	must(err)
	timestamp := strconv.FormatInt(sent.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return http.Header{
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {timestamp},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}

// renamed returns a header with other names.
func renamed(header http.Header, rename func(string) string) http.Header {
	other := http.Header{}
	for name, values := range header {
		other[rename(name)] = values
	}
	return other
}

func newWebhookVerifier(t testing.TB, secret string, options ...torii.WebhookOption) *torii.WebhookVerifier {
	t.Helper()
	verifier, err := torii.NewWebhookVerifier(secret, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { verifier.Close() })
	return verifier
}

func TestWebhook(t *testing.T) {
	body, sent := []byte(`{"type":"user.created"}`), time.Now().Truncate(time.Second)
	header := signed("msg_1", sent, body)
	webhook, err := newWebhookVerifier(t, otherSecret, torii.WithSecret(webhookSecret)).Verify(header, body)
	if err != nil || *webhook != (torii.Webhook{ID: "msg_1", SentAt: sent}) {
		t.Errorf("%+v, %v", webhook, err)
	}
	verifier := newWebhookVerifier(t, webhookSecret)
	_, err = verifier.Verify(header, append(body, '\n'))
	var e *torii.Error
	if !errors.Is(err, torii.ErrWebhook) || !errors.Is(err, torii.ErrWebhookSignature) || errors.Is(err, torii.ErrToken) ||
		errors.Is(err, torii.ErrKeys) || !errors.As(err, &e) || !strings.Contains(e.Message, "webhook-signature") {
		t.Error(err)
	}
	verifier.Close()
	if _, err := verifier.Verify(header, body); err != torii.ErrClosed {
		t.Error(err)
	}
}

func TestWebhookTime(t *testing.T) {
	sent := time.Now()
	header := signed("msg_1", sent, nil)
	for _, c := range []struct {
		away, tolerance time.Duration
		status          torii.Status
	}{
		{5 * time.Minute, 5 * time.Minute, 0},
		{-5 * time.Minute, 5 * time.Minute, 0},
		{5*time.Minute + time.Second, 5 * time.Minute, torii.ErrWebhookTimestamp},
		{-5*time.Minute - time.Second, 5 * time.Minute, torii.ErrWebhookTimestamp},
		{time.Hour, time.Hour, 0},
		{2 * time.Second, time.Second, torii.ErrWebhookTimestamp},
	} {
		_, err := newWebhookVerifier(t, webhookSecret, torii.WithTolerance(c.tolerance)).VerifyAt(header, nil, sent.Add(c.away))
		if c.status == 0 && err != nil || c.status != 0 && !errors.Is(err, c.status) {
			t.Errorf("%v away, %v tolerated: %v", c.away, c.tolerance, err)
		}
	}
	for _, tolerance := range []time.Duration{-time.Nanosecond, 1 << 62} {
		if _, err := torii.NewWebhookVerifier(webhookSecret, torii.WithTolerance(tolerance)); !errors.Is(err, torii.ErrInvalidArgument) {
			t.Errorf("%v: %v", tolerance, err)
		}
	}
	verifier := newWebhookVerifier(t, webhookSecret)
	if _, err := verifier.VerifyAt(header, nil, sent.Add(301*time.Second)); !errors.Is(err, torii.ErrWebhookTimestamp) ||
		!errors.Is(err, torii.ErrWebhook) {
		t.Error(err)
	}
	if _, err := verifier.Verify(signed("msg_1", sent.Add(-time.Hour), nil), nil); !errors.Is(err, torii.ErrWebhookTimestamp) {
		t.Error("an hour ago:", err)
	}
}

func TestWebhookHeaders(t *testing.T) {
	good := signed("msg_1", time.Now(), nil)
	svix := func(name string) string { return strings.Replace(name, "Webhook", "Svix", 1) }
	with := func(header http.Header, name string, values ...string) http.Header {
		header = header.Clone()
		header[name] = values
		return header
	}
	without := func(header http.Header, name string) http.Header {
		header = header.Clone()
		header.Del(name)
		return header
	}
	signature := good.Get("Webhook-Signature")
	for name, c := range map[string]struct {
		header http.Header
		status torii.Status
		about  string
	}{
		"lower case":                      {renamed(good, strings.ToLower), 0, ""},
		"upper case":                      {renamed(good, strings.ToUpper), 0, ""},
		"svix":                            {renamed(good, svix), 0, ""},
		"svix in lower case":              {renamed(renamed(good, svix), strings.ToLower), 0, ""},
		"svix beside one webhook header":  {with(renamed(good, svix), "Webhook-Id", "msg_1"), torii.ErrWebhookHeader, "webhook-timestamp"},
		"svix beside an empty one":        {with(renamed(good, svix), "Webhook-Signature", ""), torii.ErrWebhookHeader, "webhook-id"},
		"svix beside all webhook headers": {with(good, "Svix-Id", "msg_2"), 0, ""},
		"no id":                           {without(good, "Webhook-Id"), torii.ErrWebhookHeader, "webhook-id"},
		"no timestamp":                    {without(good, "Webhook-Timestamp"), torii.ErrWebhookHeader, "webhook-timestamp"},
		"no signature":                    {without(good, "Webhook-Signature"), torii.ErrWebhookHeader, "webhook-signature"},
		"none":                            {nil, torii.ErrWebhookHeader, "webhook-id"},
		"two ids":                         {with(good, "Webhook-Id", "msg_1", "msg_1"), torii.ErrWebhookSignature, "webhook-signature"},
		"two timestamps":                  {with(good, "Webhook-Timestamp", "1", "1"), torii.ErrWebhookHeader, "webhook-timestamp"},
		"two signatures":                  {with(good, "Webhook-Signature", "v1,AAAA", signature), 0, ""},
		// The comma that joins them belongs to the first.
		"two signatures, reversed": {with(good, "Webhook-Signature", signature, "v1,AAAA"), torii.ErrWebhookSignature, ""},
		"U+0000":                   {with(good, "Webhook-Id", "msg_1\x00"), torii.ErrWebhookSignature, "webhook-signature"},
		"no UTF-8":                 {with(good, "Webhook-Timestamp", "\xff"), torii.ErrWebhookHeader, "webhook-timestamp"},
		"a long one":               {with(good, "Webhook-Id", strings.Repeat("a", 1<<20)), torii.ErrWebhookHeader, "webhook-id"},
	} {
		webhook, err := newWebhookVerifier(t, webhookSecret).Verify(c.header, nil)
		if c.status == 0 {
			if err != nil || webhook.ID != "msg_1" {
				t.Errorf("%s: %v, %v", name, webhook, err)
			}
		} else if !errors.Is(err, c.status) || !strings.Contains(err.Error(), c.about) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A secret of another form is an error, which does not repeat it.
func TestWebhookSecrets(t *testing.T) {
	for _, secret := range []string{
		"", " ", webhookSecret + "\n", webhookSecret + " " + webhookSecret, "\t" + webhookSecret, "whsec_AQID",
		webhookSecret + "\x00", "whsec_\xff", "sk_test_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	} {
		_, first := torii.NewWebhookVerifier(secret)
		_, further := torii.NewWebhookVerifier(webhookSecret, torii.WithSecret(secret))
		for _, err := range []error{first, further} {
			if !errors.Is(err, torii.ErrInvalidConfig) || errors.Is(err, torii.ErrWebhook) ||
				!strings.Contains(err.Error(), "secret") || len(secret) > 1 && strings.Contains(err.Error(), secret) {
				t.Errorf("%q: %v", secret, err)
			}
		}
	}
}

func TestWebhookServer(t *testing.T) {
	verifier := newWebhookVerifier(t, webhookSecret)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		webhook, err := verifier.Verify(r.Header, body)
		if err != nil {
			torii.WriteError(w, err)
			return
		}
		_, _ = io.WriteString(w, webhook.ID)
	}))
	defer server.Close()
	deliver := func(header http.Header, body []byte) (int, string) {
		request, err := http.NewRequest("POST", server.URL, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(answer)
	}
	body := []byte("\x00\xff{}\n")
	header := signed("msg_1", time.Now(), body)
	if status, answer := deliver(header, body); status != 200 || answer != "msg_1" {
		t.Error(status, answer)
	}
	if status, answer := deliver(header, body[1:]); status != 400 || answer != `{"error":"bad_request"}` {
		t.Error(status, answer)
	}
	header["Webhook-Signature"] = append([]string{"v1,AAAA"}, header["Webhook-Signature"]...)
	if status, answer := deliver(header, body); status != 200 || answer != "msg_1" {
		t.Error("a repeated header:", status, answer)
	}
	header.Add("Webhook-Timestamp", header.Get("Webhook-Timestamp"))
	if status, _ := deliver(header, body); status != 400 {
		t.Error("two timestamps:", status)
	}
	if status, _ := deliver(http.Header{}, body); status != 400 {
		t.Error("no header:", status)
	}
}
