<?php

use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;
use Torii\Auth;

$me = fn (Request $request) => ['user_id' => $request->attributes->get(Auth::class)->userId];

Route::get('/health', fn () => ['ok' => true]);
Route::get('/me', $me)->middleware('torii');
Route::get('/admin', $me)->middleware('torii:admin');
