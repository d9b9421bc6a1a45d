package torii_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	torii "libtorii.internal/go"
)

func Example() {
	verifier, err := torii.NewVerifier("https://acme.torii.so")
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()

	auth, err := verifier.Verify(context.Background(), os.Getenv("TOKEN"))
	switch {
	case err == nil:
		fmt.Println("user", auth.UserID)
	case errors.Is(err, torii.ErrToken):
		fmt.Println("not logged in")
	case errors.Is(err, torii.ErrKeys):
		fmt.Println("try again later")
	default:
		log.Fatal(err)
	}
	// Output: not logged in
}

func ExampleMiddleware() {
	verifier, err := torii.NewVerifier("https://acme.torii.so", torii.Require(torii.EmailVerified))
	if err != nil {
		log.Fatal(err)
	}
	me := func(w http.ResponseWriter, r *http.Request) {
		auth, _ := torii.AuthFromContext(r.Context())
		fmt.Fprintln(w, auth.UserID)
	}
	http.Handle("GET /me", torii.Middleware(verifier)(http.HandlerFunc(me)))
}

func ExampleWithRequirements() {
	verifier, err := torii.NewVerifier("https://acme.torii.so")
	if err != nil {
		log.Fatal(err)
	}
	admins, err := torii.NewRequirements(torii.NotImpersonated, torii.RequireOrganizationRole("org-1", "admin"))
	if err != nil {
		log.Fatal(err)
	}
	settings := func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "settings") }
	http.Handle("GET /settings", torii.Middleware(verifier, torii.WithRequirements(admins))(http.HandlerFunc(settings)))
}

func ExampleWebhookVerifier() {
	verifier, err := torii.NewWebhookVerifier("whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /webhooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		webhook, err := verifier.Verify(r.Header, body)
		if err != nil {
			torii.WriteError(w, err) // 400
			return
		}
		log.Print(webhook.ID, webhook.SentAt) // ignore IDs you have processed
		w.WriteHeader(http.StatusNoContent)
	})
}

func ExampleUsers_Update() {
	client, err := torii.NewClient(os.Getenv("TORII_SECRET_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	user, err := client.Users.Update(context.Background(), "01890000-0000-7000-8000-000000000000", torii.UserUpdate{
		FirstName: torii.Set("Ada"),      // set
		LastName:  torii.Clear[string](), // cleared
		// Locale is left alone.
	})
	var e *torii.Error
	if errors.As(err, &e) {
		log.Fatal(e.HTTPStatus, e.Code, e.SupportID)
	}
	fmt.Println(user.ID)
}

func ExampleUsers_All() {
	client, err := torii.NewClient(os.Getenv("TORII_SECRET_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for user, err := range client.Users.All(context.Background(), torii.UserQuery{Statuses: []string{"active"}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.ID)
	}
}
