<?php

return [
    'timezone' => 'UTC',
    'locale' => 'en',
    'debug' => false,
    'aliases' => [],
    'providers' => [
        Illuminate\Filesystem\FilesystemServiceProvider::class,
        Illuminate\View\ViewServiceProvider::class,
        App\Providers\ToriiServiceProvider::class,
    ],
];
