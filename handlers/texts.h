/* texts.h: what a client reads in "detail", in the words of the Python backend, where several areas say it. */
#ifndef HANDLERS_TEXTS_H
#define HANDLERS_TEXTS_H

#define WENT_WRONG "Something went wrong :/"
#define NOT_FOUND_TEXT "We could not find what you're looking for :/"
#define UNAUTHORIZED_TEXT "401 Unauthorized"
#define PROHIBITED_TEXT \
    "You do not have permission to access this resource. Please contact your administrator for assistance."
#define ACTION_PROHIBITED_TEXT "The requested action has been restricted as a security measure."
#define EMAIL_TAKEN_TEXT                                                                     \
    "Uh-oh! This email is already registered. Sign in with your existing account or choose " \
    "another email to start anew."

#endif
