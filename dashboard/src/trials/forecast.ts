/** A forecast of the very thing that would be run. */
import type { UseMutationResult } from '@tanstack/react-query';
import { useState } from 'react';

/** `told` is there only while nothing but the name has changed since it was asked for. */
export function useForecastOf<Body extends { name: string }, Told>(forecast: UseMutationResult<Told, Error, Body>, body: Body) {
  const asked = JSON.stringify({ ...body, name: '' });
  const [forecastOf, setForecastOf] = useState('');
  const look = () => forecast.mutate(body, { onSuccess: () => setForecastOf(asked) });
  return { told: forecastOf === asked ? forecast.data : undefined, look };
}
