'use client'

/**
 * The parts that the components are made of, for the pages around them.
 *
 * @module
 */

export type { Place } from './format/describe.ts'
export { byteSize, countryName, placeName, useDevice, usePlace, wholeNumber } from './format/describe.ts'
export { DeviceIcon } from './format/device-icon.tsx'
export type { TimeProps } from './format/time.tsx'
export { exactTime, relativeTime, Time } from './format/time.tsx'
export type { ButtonProps } from './ui/button.tsx'
export { Button, buttonClass } from './ui/button.tsx'
export type { CodeFieldProps } from './ui/code-field.tsx'
export { CodeField } from './ui/code-field.tsx'
export type { ConfirmProps } from './ui/confirm.tsx'
export { Confirm } from './ui/confirm.tsx'
export type { CopyButtonProps } from './ui/copy-button.tsx'
export { CopyButton } from './ui/copy-button.tsx'
export type { DialogProps } from './ui/dialog.tsx'
export { Dialog } from './ui/dialog.tsx'
export type {
  CheckProps,
  FieldControl,
  FieldProps,
  SearchInputProps,
  SegmentsProps,
  SelectBoxProps,
} from './ui/field.tsx'
export {
  AreaField,
  Check,
  Field,
  PasswordField,
  SearchInput,
  Segments,
  SelectBox,
  SelectField,
  TextField,
} from './ui/field.tsx'
export type { MoreButtonProps } from './ui/more-button.tsx'
export { MoreButton } from './ui/more-button.tsx'
export { Notices } from './ui/notices.tsx'
export type {
  BadgeProps,
  CalloutProps,
  CardProps,
  EmptyProps,
  FailureProps,
  SkeletonProps,
  Tone,
} from './ui/surface.tsx'
export type { LoadFailureProps } from './ui/load-failure.tsx'
export { LoadFailure } from './ui/load-failure.tsx'
export { Avatar, Badge, Callout, Card, CardBody, Empty, Failure, Skeleton, SkeletonItems } from './ui/surface.tsx'
