// Renames the user of TOKEN to FIRST_NAME, verifies EXPIRED, and prints the path of the loaded library.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"regexp"
	"slices"

	torii "libtorii.internal/go"
)

func main() {
	ctx := context.Background()
	verifier, err := torii.NewVerifier(os.Getenv("TORII_ISSUER"))
	must(err)
	client, err := torii.NewClient(os.Getenv("TORII_SECRET_KEY"), torii.WithAPIURL(os.Getenv("TORII_API_URL")))
	must(err)

	auth, err := verifier.Verify(ctx, os.Getenv("TOKEN"))
	must(err)
	user, err := client.Users.Update(ctx, auth.UserID, torii.UserUpdate{FirstName: torii.Set(os.Getenv("FIRST_NAME"))})
	must(err)
	fmt.Println(user.ID, "is", *user.FirstName)
	if _, err = verifier.Verify(ctx, os.Getenv("EXPIRED")); errors.Is(err, torii.ErrTokenExpired) {
		fmt.Println("token_expired")
	}
	maps, err := os.ReadFile("/proc/self/maps")
	must(err)
	libraries := regexp.MustCompile(`/.*libtorii.*`).FindAllString(string(maps), -1)
	for _, library := range slices.Compact(libraries) {
		fmt.Println(library)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
