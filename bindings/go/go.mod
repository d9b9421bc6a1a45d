module libtorii.internal/go

go 1.25
