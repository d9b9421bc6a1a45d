<?php

declare(strict_types=1);

namespace App\Providers;

use App\Http\Middleware\AuthenticateWithTorii;
use Illuminate\Routing\Router;
use Illuminate\Support\ServiceProvider;
use Torii\Verifier;

final class ToriiServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->app->singleton(Verifier::class, fn () => new Verifier(config('torii.issuer')));
    }

    public function boot(Router $router): void
    {
        $router->aliasMiddleware('torii', AuthenticateWithTorii::class);
    }
}
