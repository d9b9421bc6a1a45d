<?php

// With the files of examples/laravel beside it, a Laravel application: what Laravel's own skeleton has, as far as it
// is needed here.

declare(strict_types=1);

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Http\Kernel as KernelContract;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Exceptions\Handler;
use Illuminate\Foundation\Http\Kernel;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;

(require getenv('AUTOLOAD'))(dirname(__DIR__) . '/app/');
require 'Illuminate/autoload.php';
require 'Illuminate/Foundation/helpers.php';

$app = new Application(dirname(__DIR__));
$app->singleton(KernelContract::class, Kernel::class);
$app->singleton(ExceptionHandler::class, Handler::class);
$app->booted(fn () => Route::group([], base_path('routes/api.php')));
$kernel = $app->make(KernelContract::class);
$request = Request::capture();
$response = $kernel->handle($request);
$response->send();
$kernel->terminate($request, $response);
